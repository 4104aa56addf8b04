//! The text of a journal: one line for each trial, with its content address and a checksum.
//!
//! `{"v":1,"key":"…","sum":"…","record":{…}}`, byte for byte in this layout. The checksum covers the key and the record, the rest
//! is fixed, so a line that was altered anywhere is not taken for a trial.

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::record::{TrialRecord, TrialSpec};
use crate::trial::CORE_VERSION;

/// Raised when the layout of a line changes, or the meaning of a record in it.
const VERSION: u64 = 1;

/// Hexadecimal digits of a content address, and of a checksum.
const KEY_DIGITS: usize = 64;
const SUM_DIGITS: usize = 16;

/// The content address of the trial `spec` of the objective that calls itself `identity`: whatever else is the same or differs,
/// trials at one address have the same result.
pub(super) fn key(identity: &str, spec: &TrialSpec) -> String {
    /// The order of the fields is part of the address.
    #[derive(Serialize)]
    struct Determines<'a> {
        core: u32,
        identity: &'a str,
        spec: &'a TrialSpec,
    }
    let text = serde_json::to_string(&Determines { core: CORE_VERSION, identity, spec });
    hex(&Sha256::digest(text.expect("a spec holds plain numbers only")))
}

/// The line of a trial, with its line break.
pub(super) fn render(key: &str, record: &TrialRecord) -> String {
    let record = serde_json::to_string(record).expect("a record holds plain numbers and text only");
    let sum = checksum(key.as_bytes(), record.as_bytes());
    format!("{{\"v\":{VERSION},\"key\":\"{key}\",\"sum\":\"{sum}\",\"record\":{record}}}\n")
}

/// What the bytes of a journal hold.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The trials by their content addresses.
    pub(super) records: HashMap<String, TrialRecord>,
    /// The numbers, counted from 1, of whole lines that are no trials.
    pub(super) damaged: Vec<usize>,
    /// Whole lines that another version of the program wrote.
    pub(super) foreign: usize,
    /// The length of what may stay: all but a last line that is cut off.
    pub(super) length: usize,
    /// Whether the last line that may stay lacks its line break.
    pub(super) open: bool,
}

/// Reads all that can be read. Never fails: what is damaged is left out and counted.
pub(super) fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents::default();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (text, whole) = line.strip_suffix(b"\n").map_or((line, false), |text| (text, true));
        match parse(text) {
            Line::Trial(key, record) => drop(contents.records.insert(key, *record)),
            // The program was ended while it wrote: nothing is wrong with the disk.
            _ if !whole => return contents,
            Line::Blank => {}
            Line::Foreign => contents.foreign += 1,
            Line::Damaged => contents.damaged.push(index + 1),
        }
        contents.length += line.len();
        contents.open = !whole;
    }
    contents
}

enum Line {
    Trial(String, Box<TrialRecord>),
    Blank,
    Foreign,
    Damaged,
}

fn parse(line: &[u8]) -> Line {
    if line.is_empty() {
        return Line::Blank;
    }
    match (version(line), parts(line)) {
        (Some(VERSION), Some((key, sum, record))) if checksum(key, record).as_bytes() == sum => {
            let key = String::from_utf8_lossy(key).into_owned();
            // As it was written, and yet no record: of a program that records something else.
            serde_json::from_slice(record).map_or(Line::Foreign, |record| Line::Trial(key, Box::new(record)))
        }
        (Some(version), _) if version != VERSION => Line::Foreign,
        _ => Line::Damaged,
    }
}

/// The version that a line of any version begins with.
fn version(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"v\":")?;
    let digits = rest.split(|&byte| byte == b',').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Key, checksum and record of a line of this version.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let rest = line.strip_prefix(format!("{{\"v\":{VERSION},\"key\":\"").as_bytes())?;
    let (key, rest) = rest.split_at_checked(KEY_DIGITS)?;
    let (sum, rest) = rest.strip_prefix(b"\",\"sum\":\"")?.split_at_checked(SUM_DIGITS)?;
    let record = rest.strip_prefix(b"\",\"record\":")?.strip_suffix(b"}")?;
    Some((key, sum, record))
}

fn checksum(key: &[u8], record: &[u8]) -> String {
    hex(&Sha256::new().chain_update(key).chain_update(record).finalize()[..SUM_DIGITS / 2])
}
