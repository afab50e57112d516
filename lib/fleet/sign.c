// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/crypto-library.h"
#include "fleet/error.h"
#include "fleet/sign.h"

#define RAW_HASH 32
#define SIGNATURE 64
#define BASE64(bytes) (((bytes) + 2) / 3 * 4)

/* What is signed begins with `text`, so that no other thing of 32 bytes is taken for it. */
struct purpose {
	const char *text;
	const char *noun;
	const char *verb; /* "push it" with --sign */
};
static const struct purpose of_revision = { "xdp-portblock revision 1\n", "revision", "push" };
static const struct purpose of_group = { "xdp-portblock group 1\n", "group", "set" };

/* All of it, and the raw hash. */
#define MESSAGE_MAX (32 + RAW_HASH)
struct message {
	unsigned char bytes[MESSAGE_MAX];
	size_t len;
};

/* ---- Hashes ---------------------------------------------------------------------------------- */

int fleet_hash(const char *const *texts, size_t nr, char hash[FLEET_HASH_LEN])
{
	int err = fleet_crypto_load(NULL);
	unsigned char raw[RAW_HASH];
	EVP_MD_CTX *context;
	bool good;

	if (err)
		return err;
	context = fleet_crypto.EVP_MD_CTX_new();
	good = context && fleet_crypto.EVP_DigestInit_ex(context, fleet_crypto.EVP_sha256(), NULL);
	for (size_t i = 0; good && i < nr; i++)
		good = (!i || fleet_crypto.EVP_DigestUpdate(context, "\n", 1)) &&
		       fleet_crypto.EVP_DigestUpdate(context, texts[i], strlen(texts[i]));
	good = good && fleet_crypto.EVP_DigestFinal_ex(context, raw, NULL);
	fleet_crypto.EVP_MD_CTX_free(context);
	if (!good)
		return -ENOMEM;
	for (size_t i = 0; i < RAW_HASH; i++)
		snprintf(hash + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

bool fleet_is_hash(const char *text)
{
	size_t len = FLEET_HASH_LEN - 1;

	return strspn(text, "0123456789abcdef") == len && !text[len];
}

static struct message message_of(const struct purpose *purpose, const char *id)
{
	struct message message = { .len = strlen(purpose->text) };
	unsigned int byte;

	memcpy(message.bytes, purpose->text, message.len);
	for (size_t i = 0; i < RAW_HASH; i++) {
		sscanf(id + 2 * i, "%2x", &byte);
		message.bytes[message.len++] = byte;
	}
	return message;
}

/* ---- Keys in files --------------------------------------------------------------------------- */

static int open_file(const char *path, FILE **file, struct pb_error *error)
{
	*file = fopen(path, "re");
	if (!*file)
		return fleet_fail(error, errno, "%s: %s", path, strerror(errno));
	return 0;
}

static bool is_ed25519(const EVP_PKEY *key)
{
	return fleet_crypto.EVP_PKEY_id(key) == EVP_PKEY_ED25519;
}

/* Nobody is asked for a password: who starts us may be no person. */
static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static int read_private(const char *path, EVP_PKEY **key, struct pb_error *error)
{
	EVP_PKEY *read;
	FILE *file;
	int err = fleet_crypto_load(error) ?: open_file(path, &file, error);

	if (err)
		return err;
	read = fleet_crypto.PEM_read_PrivateKey(file, NULL, no_password, NULL);
	fclose(file);
	fleet_crypto.ERR_clear_error();
	if (!read || !is_ed25519(read)) {
		fleet_crypto.EVP_PKEY_free(read);
		return fleet_fail(
			error, EINVAL,
			"%s is no private key of ed25519 in PEM without a password: `openssl genpkey "
			"-algorithm ed25519 -out FILE` makes one",
			path);
	}
	*key = read;
	return 0;
}

/* ---- Signing --------------------------------------------------------------------------------- */

static int sign(EVP_PKEY *key, const struct message *message, unsigned char raw[SIGNATURE])
{
	EVP_MD_CTX *context = fleet_crypto.EVP_MD_CTX_new();
	size_t len = SIGNATURE;
	bool good;

	good = context && fleet_crypto.EVP_DigestSignInit(context, NULL, NULL, NULL, key) > 0 &&
	       fleet_crypto.EVP_DigestSign(context, raw, &len, message->bytes, message->len) > 0;
	fleet_crypto.EVP_MD_CTX_free(context);
	fleet_crypto.ERR_clear_error();
	return good ? 0 : -ENOMEM;
}

static int sign_as(const struct purpose *purpose, const char *id, const char *keyfile,
		   char **signature, struct pb_error *error)
{
	unsigned char raw[SIGNATURE];
	struct message message;
	EVP_PKEY *key = NULL;
	char *text;
	int err;

	if (!fleet_is_hash(id))
		return fleet_fail(error, EINVAL, "'%s' is no id of a %s", id, purpose->noun);
	message = message_of(purpose, id);
	err = read_private(keyfile, &key, error);
	if (err)
		return err;
	text = malloc(BASE64(SIGNATURE) + 1);
	err = text ? sign(key, &message, raw) : -ENOMEM;
	fleet_crypto.EVP_PKEY_free(key);
	if (err) {
		free(text);
		return fleet_fail_memory(error);
	}
	fleet_crypto.EVP_EncodeBlock((unsigned char *)text, raw, SIGNATURE);
	*signature = text;
	return 0;
}

int fleet_sign(const char *id, const char *keyfile, char **signature, struct pb_error *error)
{
	return sign_as(&of_revision, id, keyfile, signature, error);
}

int fleet_sign_group(const char *id, const char *keyfile, char **signature, struct pb_error *error)
{
	return sign_as(&of_group, id, keyfile, signature, error);
}

/* ---- Verifying ------------------------------------------------------------------------------- */

/* There is one way to write it: bits that count for nothing are 0. */
static bool decode(const char *text, unsigned char raw[SIGNATURE])
{
	/* EVP_DecodeBlock() fills whole groups of three, what is padded with zeros, too. */
	unsigned char bytes[BASE64(SIGNATURE)], again[BASE64(SIGNATURE) + 1];

	if (strlen(text) != BASE64(SIGNATURE) ||
	    fleet_crypto.EVP_DecodeBlock(bytes, (const unsigned char *)text, BASE64(SIGNATURE)) <
		    SIGNATURE)
		return false;
	fleet_crypto.EVP_EncodeBlock(again, bytes, SIGNATURE);
	memcpy(raw, bytes, SIGNATURE);
	return !strcmp((const char *)again, text);
}

static bool is_signed_by(EVP_PKEY *key, const struct message *message,
			 const unsigned char raw[SIGNATURE])
{
	EVP_MD_CTX *context = fleet_crypto.EVP_MD_CTX_new();
	bool good;

	good = context && fleet_crypto.EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) > 0 &&
	       fleet_crypto.EVP_DigestVerify(context, raw, SIGNATURE, message->bytes,
					     message->len) == 1;
	fleet_crypto.EVP_MD_CTX_free(context);
	fleet_crypto.ERR_clear_error();
	return good;
}

/* Looks at each key of a file; 1: one of them has signed it. */
static int ask_file(const char *path, const struct message *message,
		    const unsigned char raw[SIGNATURE], struct pb_error *error)
{
	bool found = false, keys = false, wrong = false;
	EVP_PKEY *key;
	FILE *file;
	int err = open_file(path, &file, error);

	if (err)
		return err;
	while (!found && !wrong &&
	       (key = fleet_crypto.PEM_read_PUBKEY(file, NULL, no_password, NULL))) {
		keys = true;
		wrong = !is_ed25519(key);
		found = !wrong && is_signed_by(key, message, raw);
		fleet_crypto.EVP_PKEY_free(key);
	}
	fclose(file);
	fleet_crypto.ERR_clear_error();
	if (!keys || wrong)
		return fleet_fail(
			error, EINVAL,
			"%s: %s: `openssl pkey -in KEYFILE -pubout` prints that of a private key",
			path,
			keys ? "one of its keys is none of ed25519" :
			       "there is no public key in PEM in it");
	return found;
}

static int verify_as(const struct purpose *purpose, const char *id, const char *signature,
		     char *const *trust, size_t nr, struct pb_error *error)
{
	unsigned char raw[SIGNATURE];
	struct message message;
	int found = fleet_crypto_load(error);

	if (found)
		return found;
	if (!fleet_is_hash(id))
		return fleet_fail(error, EINVAL, "'%s' is no id of a %s", id, purpose->noun);
	if (!signature || !*signature)
		return fleet_fail(
			error, ENOKEY,
			"the %s is not signed, and `trust` asks for that: %s it with --sign",
			purpose->noun, purpose->verb);
	if (!decode(signature, raw))
		return fleet_fail(error, EKEYREJECTED,
				  "the signature '%.100s' is none: it has to be %d bytes in base64",
				  signature, SIGNATURE);
	message = message_of(purpose, id);
	for (size_t i = 0; i < nr; i++) {
		found = ask_file(trust[i], &message, raw, error);
		if (found < 0)
			return found;
		if (found)
			return 0;
	}
	return fleet_fail(error, EKEYREJECTED,
			  "the %s is not signed by a key that `trust` names (%s%s)", purpose->noun,
			  nr ? trust[0] : "none", nr > 1 ? ", ..." : "");
}

int fleet_verify(const char *id, const char *signature, char *const *trust, size_t nr,
		 struct pb_error *error)
{
	return verify_as(&of_revision, id, signature, trust, nr, error);
}

int fleet_verify_own(const char *id, const char *signature, const char *keyfile,
		     struct pb_error *error)
{
	unsigned char raw[SIGNATURE];
	struct message message;
	EVP_PKEY *key;
	bool own;
	int err = read_private(keyfile, &key, error);

	if (err)
		return err;
	own = fleet_is_hash(id) && signature && decode(signature, raw);
	if (own) {
		message = message_of(&of_revision, id);
		own = is_signed_by(key, &message, raw);
	}
	fleet_crypto.EVP_PKEY_free(key);
	return own ? 0 : fleet_fail(error, EKEYREJECTED, "it is not signed by %s", keyfile);
}

int fleet_verify_group(const char *id, const char *signature, char *const *trust, size_t nr,
		       struct pb_error *error)
{
	return verify_as(&of_group, id, signature, trust, nr, error);
}
