/* SPDX-License-Identifier: GPL-2.0-only */
/* What a revision is known by, and who vouches for it: SHA-256 and ed25519, both by libcrypto. */
#ifndef FLEET_SIGN_H
#define FLEET_SIGN_H

#include <portblock/portblock.h>

/* SHA-256 in lower case hexadecimal digits, and a NUL. */
#define FLEET_HASH_LEN 65

/* The hash of these texts (`nr` of them), with a newline between each two. -ENOMEM; -ENOPKG: no libcrypto. */
int fleet_hash(const char *const *texts, size_t nr, char hash[FLEET_HASH_LEN]);

/* 64 lower case hexadecimal digits? */
bool fleet_is_hash(const char *text);

/*
 * Signs the id of a revision with the private key of a PEM file (`openssl genpkey -algorithm ed25519`);
 * the signature is base64, and the caller's to free. -ENOENT, -EACCES, ...: the file; -EINVAL: it holds no such key.
 */
int fleet_sign(const char *id, const char *keyfile, char **signature, struct pb_error *error);

/*
 * Is the signature (base64; NULL: there is none) one of that id by a public key of these PEM files, each of which
 * may hold several? -ENOKEY: there is no signature; -EKEYREJECTED: it is nobody's whom we trust; -EINVAL: a file has no
 * ed25519 public key; -ENOENT, ...: the file.
 */
int fleet_verify(const char *id, const char *signature, char *const *trust, size_t nr,
		 struct pb_error *error);

/* The same, by the public half of that private key. -EKEYREJECTED: it is another's, or none. */
int fleet_verify_own(const char *id, const char *signature, const char *keyfile,
		     struct pb_error *error);

/* The same of the id of a group. A signature of a revision is none of a group, nor the other way round. */
int fleet_sign_group(const char *id, const char *keyfile, char **signature, struct pb_error *error);
int fleet_verify_group(const char *id, const char *signature, char *const *trust, size_t nr,
		       struct pb_error *error);

#endif
