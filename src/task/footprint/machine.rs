//! What the machine has: the cache of a core, and memory.

use std::fs;
use std::path::{Path, PathBuf};

/// The memory of this machine, in bytes; `None` where the system does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// A core's share of the second-level cache.
    pub(crate) cache: Option<u64>,
    /// Memory that this process may use: all that there is, or less where a control group has a limit.
    pub(crate) memory: Option<u64>,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        Self::below(Path::new("/"))
    }

    /// The one whose `/proc` and `/sys` lie below `root`.
    fn below(root: &Path) -> Self {
        let limits = [total_memory(root), group_limit(root)];
        Self { cache: second_level_cache(root), memory: limits.into_iter().flatten().min() }
    }
}

/// What a core has of the second-level cache. Threads of one core share it and work in turn; cores that share it work at once, and
/// each gets its part.
fn second_level_cache(root: &Path) -> Option<u64> {
    let core = root.join("sys/devices/system/cpu/cpu0");
    let threads = read(&core.join("topology/thread_siblings_list")).and_then(|list| counted(&list)).unwrap_or(1);
    let mut caches: Vec<PathBuf> =
        fs::read_dir(core.join("cache")).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    caches.sort();
    caches.iter().find_map(|cache| {
        let of = |file: &str| read(&cache.join(file));
        let holds_data = of("type").is_some_and(|kind| kind == "Unified" || kind == "Data");
        if of("level").as_deref() != Some("2") || !holds_data {
            return None;
        }
        let users = of("shared_cpu_list").and_then(|list| counted(&list)).unwrap_or(threads);
        let cores = users.div_ceil(threads.max(1)).max(1);
        of("size").and_then(|size| kibibytes(&size)).map(|size| size / cores).filter(|size| *size > 0)
    })
}

/// A size as the kernel writes that of a cache: `1024K`, `2M`.
fn kibibytes(size: &str) -> Option<u64> {
    let (digits, unit) = size.split_at(size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len()));
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// How many processors a list such as `0-3,8` names.
fn counted(list: &str) -> Option<u64> {
    let range = |range: &str| -> Option<u64> {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (last.parse::<u64>().ok()? + 1).checked_sub(first.parse().ok()?)
    };
    list.split(',').map(range).sum()
}

fn total_memory(root: &Path) -> Option<u64> {
    let text = read(&root.join("proc/meminfo"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the control groups that this process is in, of either version.
fn group_limit(root: &Path) -> Option<u64> {
    let groups = read(&root.join("proc/self/cgroup"))?;
    let limits = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return None,
        };
        // Seen from within a container, the path may not exist, and a limit of a group above holds too.
        let mount = root.join(mount);
        let own = mount.join(path.trim_start_matches('/'));
        let above = own.ancestors().take_while(|folder| folder.starts_with(&mount));
        above.filter_map(|folder| read(&folder.join(file))?.parse::<u64>().ok()).min()
    });
    limits.min()
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A machine of these files.
    fn machine(files: &[(&str, &str)]) -> Machine {
        let root = TempDir::new().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Machine::below(root.path())
    }

    /// A machine whose second-level cache is of this size and shared by these processors, two to a core.
    fn cache(kind: &str, size: &str, shared: &str) -> Option<u64> {
        let below = |file: &str| format!("sys/devices/system/cpu/cpu0/{file}");
        let of = |index: u32, file: &str| below(&format!("cache/index{index}/{file}"));
        let files = [
            (of(0, "level"), "1\n"),
            (of(0, "type"), "Data\n"),
            (of(0, "size"), "32K\n"),
            (of(2, "level"), "2\n"),
            (of(2, "type"), kind),
            (of(2, "size"), size),
            (of(2, "shared_cpu_list"), shared),
            (below("topology/thread_siblings_list"), "0-1\n"),
        ];
        machine(&files.each_ref().map(|(name, content)| (name.as_str(), *content))).cache
    }

    #[test]
    fn a_core_has_its_share_of_the_second_level_cache() {
        assert_eq!(cache("Unified\n", "1024K\n", "0-1\n"), Some(1 << 20));
        assert_eq!(cache("Unified\n", "4M\n", "0-3,8-11\n"), Some(1 << 20), "four cores of two threads");
        assert_eq!(cache("Instruction\n", "1024K\n", "0-1\n"), None);
        assert_eq!(cache("Unified\n", "0K\n", "0-1\n"), None);
        assert_eq!(cache("Unified\n", "much\n", "0-1\n"), None);
        assert_eq!(machine(&[]), Machine { cache: None, memory: None });
    }

    #[test]
    fn memory_is_that_of_the_machine_or_of_a_control_group() {
        let total = ("proc/meminfo", "MemFree: 7 kB\nMemTotal:       16777216 kB\nOther: 1 kB\n");
        assert_eq!(machine(&[total]).memory, Some(16 << 30));
        let second = [
            total,
            ("proc/self/cgroup", "0::/system/ours\n"),
            ("sys/fs/cgroup/system/ours/memory.max", "max\n"),
            ("sys/fs/cgroup/system/memory.max", "2147483648\n"),
            ("sys/fs/cgroup/memory.max", "4294967296\n"),
        ];
        assert_eq!(machine(&second).memory, Some(2 << 30), "the least of all above");
        let first = [
            total,
            ("proc/self/cgroup", "5:cpu:/x\n4:memory:/elsewhere\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
        ];
        assert_eq!(machine(&first).memory, Some(1 << 30), "the path outside the container is not known inside");
        let unlimited = [
            total,
            ("proc/self/cgroup", "4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712"),
        ];
        assert_eq!(machine(&unlimited).memory, Some(16 << 30));
    }
}
