/* An auditor of the dynamic linker (rtld-audit(7)) for which APR is not
 * installed. */
#define _GNU_SOURCE
#include <link.h>
#include <string.h>

unsigned int la_version(unsigned int version) { return version; }

char *la_objsearch(const char *name, uintptr_t *cookie, unsigned int flag)
{
    (void)cookie;
    (void)flag;
    return strstr(name, "libapr") != NULL ? NULL : (char *)name;
}
