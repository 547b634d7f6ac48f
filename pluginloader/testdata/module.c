/*
 * An Apache module, laid out by its numbers as httpd 2.4 has it: needs a
 * function of httpd, and is no plugin. With PLUGIN it is both.
 */
#include <stddef.h>

#ifdef HOOKS
extern void ap_hook_fixups(void *, const void *, const void *, int), ap_hook_handler(void *, const void *, const void *, int);
#else
extern void ap_no_function(void);
#endif

static void register_hooks(void *pool)
{
    (void)pool;
#ifdef HOOKS
    ap_hook_handler(NULL, NULL, NULL, 0);
    ap_hook_fixups(NULL, NULL, NULL, 0);
#else
    ap_no_function();
#endif
}

struct module {
    int version, minor_version, module_index;
    const char *name;
    void *dynamic_load_handle, *next;
    unsigned long magic;
    void *functions[6];
    void (*register_hooks)(void *);
    int flags;
};

#ifndef VERSION
#define VERSION 20120211
#endif
struct module example_module = {VERSION, 0, -1, "module.c", NULL, NULL, 0x41503234, {NULL}, register_hooks, 0};
_Static_assert(sizeof(struct module) == 112, "size");
_Static_assert(offsetof(struct module, magic) == 40, "magic");
_Static_assert(offsetof(struct module, register_hooks) == 96, "register_hooks");

/* As large, but without the mark. */
char decoy[112] = "not a module";
char empty_decoy[112];

#ifdef PLUGIN
void *example_init(void) { return NULL; }
#endif
