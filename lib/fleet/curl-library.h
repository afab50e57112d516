/* SPDX-License-Identifier: GPL-2.0-only */
/* libcurl, which talks to etcd. */
#ifndef FLEET_CURL_LIBRARY_H
#define FLEET_CURL_LIBRARY_H

#include <curl/curl.h>
#include <portblock/portblock.h>

#define CURL_EASY_FUNCTIONS(X) \
	X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_strerror)
#define CURL_MULTI_FUNCTIONS(X) \
	X(multi_init)           \
	X(multi_cleanup)        \
	X(multi_add_handle)     \
	X(multi_remove_handle) X(multi_perform) X(multi_poll) X(multi_info_read) X(multi_strerror)
#define CURL_FUNCTIONS(X) \
	X(global_init)    \
	X(slist_append) X(slist_free_all) CURL_EASY_FUNCTIONS(X) CURL_MULTI_FUNCTIONS(X)

/* A member a function, called as (*curl->easy_init)(). */
struct curl_library {
#define MEMBER(function) __typeof__(&curl_##function) function;
	CURL_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* -ENOPKG: it cannot be loaded; `error` says how to get it. Not for two threads at once. */
int fleet_curl_load(const struct curl_library **library, struct pb_error *error);

#endif
