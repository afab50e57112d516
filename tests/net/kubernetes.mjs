// SPDX-License-Identifier: GPL-2.0-only
// Objects of Kubernetes, as JSON on standard input, against its own schemas: node kubernetes.mjs FOLDER. Prints what is
// wrong with them. A key that the schema does not have is wrong, too; since validators let such pass, each value is
// replaced by one that no key takes, and where nobody minds there is no such key.
import { readFileSync } from 'node:fs';

const models = {};
for (const version of ['v1', 'apps/v1'])
	models[version] = await import(`${process.argv[2]}/node_modules/kubernetes-models/${version}/index.js`);
const NOTHING_TAKES = [[[]]];

function complaint(object) {
	try {
		new models[object.apiVersion][object.kind](object).validate();
	} catch (error) {
		return error.message;
	}
	return null;
}

function unknownKeys(object, at, path) {
	const unknown = [];
	for (const key of Object.keys(at)) {
		const value = at[key];
		at[key] = NOTHING_TAKES;
		if (key !== 'apiVersion' && key !== 'kind' && !complaint(object))
			unknown.push(`${path}/${key}: there is no such key`);
		at[key] = value;
		if (value && typeof value === 'object')
			unknown.push(...unknownKeys(object, value, `${path}/${key}`));
	}
	return unknown;
}

for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
	const name = `${object.kind} ${object.metadata.name}`;
	const wrong = complaint(object);
	for (const text of wrong ? [wrong] : unknownKeys(object, object, ''))
		console.log(`${name}: ${text}`);
}
