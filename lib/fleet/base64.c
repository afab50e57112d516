// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/base64.h"
#include "fleet/crypto-library.h"

char *fleet_base64(const void *data, size_t len)
{
	bool can = len < INT_MAX / 2 && !fleet_crypto_load(NULL);
	char *text = can ? malloc((len + 2) / 3 * 4 + 1) : NULL;

	if (text)
		text[fleet_crypto.EVP_EncodeBlock((unsigned char *)text, data, (int)len)] = '\0';
	return text;
}

/* EVP_DecodeBlock() takes white space at either end, and = anywhere: looked at before. */
static bool is_base64(const char *text, size_t len, size_t *padding)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+/";
	size_t plain = strspn(text, letters);

	*padding = len - plain;
	return len % 4 == 0 && len < INT_MAX && *padding <= 2 &&
	       strspn(text + plain, "=") == *padding;
}

int fleet_base64_decode(const char *text, char **data, size_t *len)
{
	size_t size = strlen(text), padding;
	int err = fleet_crypto_load(NULL), got;
	char *made;

	if (err)
		return err;
	if (!is_base64(text, size, &padding))
		return -EINVAL;
	made = malloc(size / 4 * 3 + 1);
	if (!made)
		return -ENOMEM;
	got = fleet_crypto.EVP_DecodeBlock((unsigned char *)made, (const unsigned char *)text,
					   (int)size);
	if (got < (int)padding) {
		free(made);
		return -EINVAL;
	}
	*len = got - padding;
	made[*len] = '\0';
	*data = made;
	return 0;
}
