//! Processes as the system lists them.

use std::fs;
use std::process::Command;

/// State and parent of a process, if there is one.
fn stat(pid: u32) -> Option<(char, u32)> {
    if fs::exists("/proc/self/stat").unwrap_or(false) {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name stands in parentheses, and may hold blanks and parentheses itself.
        let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
        return Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?));
    }
    let output = Command::new("ps").args(["-o", "stat=,ppid=", "-p", &pid.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut fields = text.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process runs; a zombie does not.
pub fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// Whether a process is a child of this one, be it a zombie.
pub fn is_child(pid: u32) -> bool {
    stat(pid).is_some_and(|(_, parent)| parent == std::process::id())
}
