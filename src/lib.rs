//! Finds the initial learning rate ε₀ for a long training run, and tells whether a given one is safe.
//!
//! Many short trials at fixed rates, each from fresh weights and with several seeds, measure three things: the rate that does
//! best early on, the rate from which training becomes severely unstable, and the headroom between them. The best rate for the
//! whole run usually lies above the first and must stay below the second (Goodfellow, Bengio, Courville, *Deep Learning*,
//! §8.3.1).
//!
//! # Example
//!
//! Any training loop can be studied: implement [`trial::Objective`] and [`trial::Run`] for it. Gradient descent on 2w², whose
//! curvature is 4, is known to be stable below 2 / 4:
//!
//! ```rust
//! use lrfind::error::TrialError;
//! use lrfind::record::TrialSpec;
//! use lrfind::trial::{Objective, Run};
//! use lrfind::{RunOptions, Study};
//!
//! struct Model;                  // what every trial shares: the data, the shape of the network
//! struct Training { weight: f64 } // one trial under way
//!
//! impl Objective for Model {
//!     fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
//!         // Fresh weights and data order, from the seed alone.
//!         Ok(Box::new(Training { weight: 1.0 + specs[0].seed as f64 }))
//!     }
//! }
//!
//! impl Run for Training {
//!     /// One update; returns the loss before it.
//!     fn step(&mut self, learning_rates: &[f64]) -> Result<Vec<f64>, TrialError> {
//!         let (loss, gradient) = (2.0 * self.weight.powi(2), 4.0 * self.weight);
//!         self.weight -= learning_rates[0] * gradient;
//!         Ok(vec![loss])
//!     }
//!
//!     /// The loss on a fixed set of examples.
//!     fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
//!         Ok(vec![2.0 * self.weight.powi(2)])
//!     }
//!
//!     /// Only matters where several trials are stacked into one computation.
//!     fn retain(&mut self, _lanes: &[bool]) {}
//! }
//!
//! let report = Study::new("parabola", &Model).find(&RunOptions::default());
//! let threshold = report.instability.threshold.unwrap();
//! let rate = report.recommendation.learning_rate.unwrap();
//! assert!((0.44..0.57).contains(&threshold) && rate < 0.5);
//! ```
//!
//! # The core types
//!
//! - [`Study`] ties an objective to the questions: [`find`](Study::find) and [`check`](Study::check) return a [`Report`],
//!   [`verify`](Study::verify) puts one to the test of full runs.
//! - [`trial::Objective`] can be trained from scratch; [`trial::Run`] is a training under way.
//! - [`task::Task`] is the objective that a config file describes: [`config::load`], [`task::build`], [`Study::of_plan`].
//! - [`command::Script`] is a training script of any kind, run as a command: [`config::load_any`], [`Study::of_command`].
//! - [`record::TrialRecord`] is what one trial did; [`analysis`] turns records into verdicts, a threshold and a choice.
//! - [`Report`] is plain data with a stable JSON form; [`report`] renders it as text, Markdown, JSON, plots and schedules.
//!
//! # What it does not do
//!
//! It chooses by no validation loss, and tunes nothing but ε₀. Trials are short, so instability that comes late in a run can
//! escape them; [`report::Recommendation::p_unstable`] estimates how likely that is, and only [`verify`](Study::verify) trains to
//! the end. The library prints nothing, and writes no file but the [journal](search::Journal) that it is given, and those of rates that
//! scripts ask for, which are gone after the trial.

#![warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod analysis;
pub mod command;
pub mod config;
pub mod curves;
mod digest;
pub mod error;
pub mod files;
pub mod lr;
mod number;
pub mod record;
pub mod report;
pub mod schedule;
pub mod search;
mod source;
pub mod study;
pub mod task;
pub mod trial;

pub use lr::LearningRate;
pub use report::Report;
pub use search::RunOptions;
pub use study::Study;
