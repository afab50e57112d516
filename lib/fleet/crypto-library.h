/* SPDX-License-Identifier: GPL-2.0-only */
/* libcrypto, which hashes, signs and writes base64. */
#ifndef FLEET_CRYPTO_LIBRARY_H
#define FLEET_CRYPTO_LIBRARY_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <portblock/portblock.h>

/* Some of these names are macros, for other names in other versions. */
#define CRYPTO_FUNCTIONS(X)     \
	X(EVP_MD_CTX_new)       \
	X(EVP_MD_CTX_free)      \
	X(EVP_sha256)           \
	X(EVP_DigestInit_ex)    \
	X(EVP_DigestUpdate)     \
	X(EVP_DigestFinal_ex)   \
	X(EVP_DigestSignInit)   \
	X(EVP_DigestSign)       \
	X(EVP_DigestVerifyInit) \
	X(EVP_DigestVerify)     \
	X(EVP_PKEY_id)          \
	X(EVP_PKEY_free)        \
	X(PEM_read_PrivateKey)  \
	X(PEM_read_PUBKEY) X(ERR_clear_error) X(EVP_EncodeBlock) X(EVP_DecodeBlock)

/* A member a function, called as fleet_crypto.EVP_sha256(). */
struct crypto_library {
#define MEMBER(function) __typeof__(&function) function;
	CRYPTO_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Filled by fleet_crypto_load(). */
extern struct crypto_library fleet_crypto;

/* -ENOPKG: it cannot be loaded; `error` (may be NULL) says how to get it. Not for two threads at once. */
int fleet_crypto_load(struct pb_error *error);

#endif
