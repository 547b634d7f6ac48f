/* The functions by which modules of httpd register hooks: each is noted, and
 * none is ever called. */
#include "apache.h"

/* Implemented in Go (module.go). */
extern void wshttpd_go_hook(char *name);

#define HOOK(name)                                                                                          \
    void ap_hook_##name(void *function, const char *const *before, const char *const *after, int order)     \
    {                                                                                                       \
        (void)function;                                                                                     \
        (void)before;                                                                                       \
        (void)after;                                                                                        \
        (void)order;                                                                                        \
        wshttpd_go_hook((char *)#name);                                                                     \
    }

HOOK(access_checker)
HOOK(access_checker_ex)
HOOK(auth_checker)
HOOK(check_config)
HOOK(check_user_id)
HOOK(child_init)
HOOK(child_status)
HOOK(child_stopping)
HOOK(create_connection)
HOOK(create_request)
HOOK(default_port)
HOOK(drop_privileges)
HOOK(end_generation)
HOOK(error_log)
HOOK(fatal_exception)
HOOK(fixups)
HOOK(force_authn)
HOOK(generate_log_id)
HOOK(handler)
HOOK(header_parser)
HOOK(http_scheme)
HOOK(insert_error_filter)
HOOK(insert_filter)
HOOK(log_transaction)
HOOK(map_to_storage)
HOOK(monitor)
HOOK(note_auth_failure)
HOOK(open_logs)
HOOK(optional_fn_retrieve)
HOOK(post_config)
HOOK(post_perdir_config)
HOOK(post_read_request)
HOOK(pre_close_connection)
HOOK(pre_config)
HOOK(pre_connection)
HOOK(pre_read_request)
HOOK(pre_translate_name)
HOOK(process_connection)
HOOK(quick_handler)
HOOK(test_config)
HOOK(translate_name)
HOOK(type_checker)
