//! Whether a group has members that count: anyone but root and the user who runs this.

use nix::unistd::{Gid, Group, Uid, User};

/// Where local groups are listed with their members, and local users with their primary groups.
const GROUP: &str = "/etc/group";
const PASSWD: &str = "/etc/passwd";

/// Returns whether nobody but root and this process's user is in a group: such as the private groups that Debian and Fedora
/// give each user.
///
/// Counted are the members that the group database lists, and the local users whose primary group it is. Of group 0 only
/// the listed members count: some distributions give it to system accounts that nobody can log in to. A group that cannot be
/// looked up may have anyone in it, and so may one of the network, whose database need not list its members.
pub(crate) fn is_private(group: u32) -> bool {
    let runner = Uid::effective();
    let Ok(Some(found)) = Group::from_gid(Gid::from_raw(group)) else { return false };
    let name = User::from_uid(runner).ok().flatten().map(|user| user.name);
    if found.mem.iter().any(|member| member != "root" && Some(member) != name.as_ref()) {
        return false;
    }
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    is_local(&read(GROUP), group) && (group == 0 || only_ours(&read(PASSWD), group, runner.as_raw()))
}

/// Returns whether a group is listed in the file of local groups.
fn is_local(groups: &str, group: u32) -> bool {
    groups.lines().any(|line| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(group))
}

/// Returns whether every user with this primary group is root or the runner.
fn only_ours(passwd: &str, group: u32, runner: u32) -> bool {
    passwd.lines().all(|line| {
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        match (fields.next(), fields.next()) {
            (Some(Ok(user)), Some(Ok(primary))) => primary != group || user == 0 || user == runner,
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_group_of_somebody_else_is_not_private() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\nweb:x:1001:33::/:/bin/sh\n";
        assert!(only_ours(passwd, 1000, 1000));
        assert!(!only_ours(passwd, 1000, 1001));
        assert!(!only_ours(passwd, 33, 1000));
        assert!(only_ours(passwd, 50, 1000));
    }

    #[test]
    fn a_group_of_the_network_is_not_local() {
        let groups = "root:x:0:\n# a comment\napp:x:1000:app\n";
        assert!(is_local(groups, 0) && is_local(groups, 1000));
        assert!(!is_local(groups, 100_513));
    }

    #[test]
    fn a_group_that_is_not_known_is_not_private() {
        assert!(!is_private(4_000_000_000));
    }
}
