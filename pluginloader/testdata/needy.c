/* A plugin that needs what no library here has. */
extern void *apr_palloc_of_no_release(void *, unsigned long);
extern int nobody_has_this(void);
void *needy_init(void) { return nobody_has_this() ? apr_palloc_of_no_release(0, 1) : 0; }
