//! What the files in a folder of reports are called.

/// The report.
pub const REPORT: &str = "report.json";

/// The finished trials.
pub const JOURNAL: &str = "trials.journal";

/// The data of a verification.
pub const VERIFICATION: &str = "verify.json";

/// The data of a range test.
pub const RANGE_TEST: &str = "range-test.json";

/// The plot of the schedule, which not every report has.
pub const SCHEDULE: &str = "schedule.png";

/// All that this program writes there: the data above, and the plots.
pub const ALL: [&str; 10] = [
    REPORT,
    JOURNAL,
    VERIFICATION,
    RANGE_TEST,
    "loss-vs-rate.png",
    "learning-curves.png",
    "stability-map.png",
    SCHEDULE,
    "verification.png",
    "range-test.png",
];
