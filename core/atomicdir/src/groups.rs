//! Whether a group has members other than root and the current user.
//!
//! Debian and Fedora give each user a private group and a umask of 002. So a home directory full of group-writable
//! directories is common and safe. To tell a private group from a shared one, all members must be known. The group
//! database lists the members that were added, but not always the users whose primary group it is. The code reads both
//! files itself, because a network database need not list all members.

use nix::unistd::{Gid, Group, Uid, User};

/// The local groups with their members, and the local users with their primary groups.
const GROUP: &str = "/etc/group";
const PASSWD: &str = "/etc/passwd";

/// The shells of accounts that cannot log in. Some distributions give group 0 to such accounts.
const NO_SHELLS: [&str; 5] = ["nologin", "false", "sync", "shutdown", "halt"];

/// Returns whether only root and the current user are in a group, such as the private groups of Debian and Fedora.
///
/// These are the members:
///
/// - the members that the group database lists, under each name of the group
/// - the local users whose primary group it is; for group 0, only those who can log in
///
/// A group that cannot be looked up may have any members. So may a network group, whose database need not list them
/// all.
pub(crate) fn is_private(group: u32) -> bool {
    let runner = Uid::effective();
    let Ok(Some(found)) = Group::from_gid(Gid::from_raw(group)) else { return false };
    let name = User::from_uid(runner).ok().flatten().map(|user| user.name);
    let is_ours = |member: &str| member == "root" || Some(member) == name.as_deref();
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (groups, passwd) = (read(GROUP), read(PASSWD));
    let mut listed = members(&groups, group).peekable();
    listed.peek().is_some()
        && listed.flatten().chain(found.mem.iter().map(String::as_str)).all(is_ours)
        && primary(&passwd, group).all(|user| user == 0 || user == runner.as_raw())
}

/// Returns the members on each line of `/etc/group` for this group: no line if the group is not listed there.
fn members(groups: &str, group: u32) -> impl Iterator<Item = impl Iterator<Item = &str>> {
    groups.lines().filter_map(move |line| {
        let mut fields = line.split(':').skip(2);
        let is_it = fields.next()?.parse() == Ok(group);
        let members = fields.next().unwrap_or_default();
        is_it.then(|| members.split(',').map(str::trim).filter(|member| !member.is_empty()))
    })
}

/// Returns the local users with this primary group. For group 0, accounts that cannot log in are left out.
fn primary(passwd: &str, group: u32) -> impl Iterator<Item = u32> {
    passwd.lines().filter_map(move |line| {
        let fields: Vec<_> = line.split(':').collect();
        let (user, primary) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse::<u32>().ok()?);
        let shell = fields.get(6).and_then(|shell| shell.rsplit('/').next()).unwrap_or_default();
        let counts = primary == group && (group != 0 || !NO_SHELLS.contains(&shell));
        counts.then_some(user)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nhalt:x:7:0::/:/sbin/halt\napp:x:1000:1000::/:/bin/sh\n\
                          web:x:1001:33::/:/usr/sbin/nologin\ndeputy:x:1002:0::/:/bin/bash\nbroken\n";

    #[test]
    fn the_users_of_a_primary_group_count_but_for_accounts_without_a_shell_in_group_0() {
        let of = |group| primary(PASSWD, group).collect::<Vec<_>>();
        assert_eq!((of(1000), of(33), of(50)), (vec![1000], vec![1001], vec![]));
        assert_eq!(of(0), [0, 1002]);
    }

    #[test]
    fn the_members_under_each_name_of_a_group_count() {
        let groups = "root:x:0:\n# a comment\nshop:x:50:app, web\nshop2:x:50:b\nodd:x:51\n";
        let of = |group| members(groups, group).map(Iterator::collect::<Vec<_>>).collect::<Vec<_>>();
        assert_eq!(of(50), [vec!["app", "web"], vec!["b"]]);
        assert_eq!((of(0), of(51)), (vec![vec![]], vec![vec![]]));
        assert!(of(100_513).is_empty(), "a group of the network");
    }

    #[test]
    fn a_group_that_is_not_known_is_not_private() {
        assert!(!is_private(4_000_000_000));
    }
}
