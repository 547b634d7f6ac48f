package supervise

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/wshttpd/wshttpd/httpdconf"
)

// DropRoot has the process go on as User and Group, with the groups of that
// user, where root has started it and User is set (httpd 2.4
// os/unix/unixd.c, set_group_privs and ap_unixd_setup_child). Sockets must be
// bound and logs open before. Go changes all threads.
func DropRoot(run httpdconf.Run) error {
	if os.Geteuid() != 0 || run.User.ID <= 0 {
		return nil
	}
	gid := run.Group.ID
	groups := []int{}
	if u, err := user.LookupId(strconv.Itoa(run.User.ID)); err == nil {
		if gid < 0 {
			gid, _ = strconv.Atoi(u.Gid) // the system's own
		}
		groups = groupsOf(u)
	}
	if gid < 0 {
		return fmt.Errorf("user %d is none of the system's: set Group as well", run.User.ID)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("AH02157: setgid: unable to set group id to Group %d: %w", gid, err)
	}
	if err := syscall.Setgroups(append(groups, gid)); err != nil {
		return fmt.Errorf("AH02158: initgroups: unable to set groups for User %s and Group %d: %w", run.User.Name, gid, err)
	}
	if err := syscall.Setuid(run.User.ID); err != nil {
		return fmt.Errorf("AH02162: setuid: unable to change to uid: %d: %w", run.User.ID, err)
	}
	return nil
}

func groupsOf(u *user.User) []int {
	var groups []int
	ids, _ := u.GroupIds() // none: the main group stays
	for _, id := range ids {
		if gid, err := strconv.Atoi(id); err == nil {
			groups = append(groups, gid)
		}
	}
	return groups
}
