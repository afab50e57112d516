// SPDX-License-Identifier: GPL-2.0-only
#include "fleet/crypto-library.h"
#include "fleet/library.h"

struct crypto_library fleet_crypto;

static const struct fleet_function functions[] = {
#define NAME(function) #function
#define ENTRY(function) { NAME(function), &fleet_crypto.function },
	CRYPTO_FUNCTIONS(ENTRY)
#undef ENTRY
#undef NAME
};

int fleet_crypto_load(struct pb_error *error)
{
	static const struct fleet_library libcrypto = {
		.soname = CRYPTO_SONAME,
		.name = "libcrypto",
		.use = "which hashes and signs revisions (Debian: libssl3, Fedora: openssl-libs)",
		.oldest = "1.1.1",
		.nr = sizeof(functions) / sizeof(*functions),
		.functions = functions,
	};
	static bool loaded;
	int err = loaded ? 0 : fleet_library_load(&libcrypto, error);

	loaded = !err;
	return err;
}
