/* Called by arm.c before the RAM is used; does nothing without ARCHITEKT_LEASE_FD. Any failure is reported like one of arm.c. */
void architekt_guard_lease(void (*fail)(const char *what, const char *hint));
