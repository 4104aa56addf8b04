//! Pure judgements over finished trials: no I/O, clock, randomness or threads.
//!
//! The definitions rest on one idea: a rate is *severely* unstable when it loses ground that a gentler rate cannot win back.
//! [`judge`] turns trials of one length into verdicts, [`bracket`] and [`posterior`] turn verdicts into a bracket and a posterior, and
//! [`choose`] chooses the rate. [`range_test`] is what other finders would read off a single ramp, and [`full_runs`] what runs of
//! full length say of a choice.

mod assess;
mod curve;
pub mod full_runs;
mod judge;
mod premises;
pub mod range_test;
mod recommend;
mod settled;
mod threshold;
mod transfer;

pub use assess::{Assessment, assess};
pub(crate) use curve::mean;
pub use curve::{end_loss, median};
pub use judge::{Judged, JudgedTrial, Reference, Verdict, judge, judge_against, unresolved};
pub use premises::{Lengths, Premises, Safety};
pub use recommend::{Choice, choose, plateau};
pub use settled::{SettledLevel, settled_cost, settled_ranking};
pub use threshold::{Bracket, Posterior, RateEvidence, bracket, evidence, posterior};
pub use transfer::Transfer;
