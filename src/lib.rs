//! Finds the initial learning rate ε₀ for a long training run.
//! TEMPORARY STUBS of the facade, to compile the binary against.

#[path = "config/mod.rs"]
mod real_config;
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub mod config {
    pub use super::real_config::*;
    use std::path::Path;
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    pub struct ConfigErrors(String);
    pub fn load(path: &Path) -> Result<Plan, ConfigErrors> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigErrors(format!("cannot read {}: {e}", path.display())))?;
        if text.contains("panic") {
            panic!("the config asked for it");
        }
        if !text.contains("name") {
            return Err(ConfigErrors(format!("{}:1: no name", path.display())));
        }
        Ok(Plan {
            name: "demo".into(),
            data: DataPlan::Synthetic {
                problem: SyntheticPlan::Quadratic { curvatures: vec![1.0, 10.0], noise: 0.1 },
                data_seed: 0,
                held_out: 0.0,
            },
            model: ModelPlan::Quadratic,
            training: TrainingPlan {
                optimizer: OptimizerPlan {
                    rule: UpdateRule::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false },
                    weight_decay: 0.0,
                    decoupled: false,
                },
                batch_size: 1,
                epochs: 200.0,
                learning_rate: crate::lr::LearningRate::new(0.1).ok(),
                learning_rate_line: Some(7),
                decay: crate::schedule::Decay::Linear { final_fraction: 0.01 },
                decay_epochs: None,
                warmup_iterations: 0,
                label_smoothing: 0.0,
                clip_norm: None,
            },
            search: SearchPlan {
                range: crate::lr::LrRange::new(1e-5, 10.0).unwrap(),
                extend: true,
                iterations: 100,
                long_iterations: 400,
                seeds: 5,
                first_seed: 0,
                resolution: 0.1,
                safety: 2.0,
                check_margin: 2.0,
                budget: None,
            },
            device: DeviceKind::Flex,
        })
    }
    pub fn starter(name: &str) -> String {
        format!("name = \"{name}\"\n[training]\nlearning-rate = 0.1\n")
    }
}
pub mod error;
pub mod lr;
#[path = "report/mod.rs"]
mod real_report;
pub mod record;
#[allow(missing_docs)]
pub mod report {
    pub use super::real_report::*;
    #[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
    pub mod plots {
        #[derive(Debug, thiserror::Error)]
        #[error("plot")]
        pub struct PlotError;
        pub struct Plot {
            pub file_name: &'static str,
            pub png: Vec<u8>,
        }
        pub fn all(_: &super::Report) -> Result<Vec<Plot>, PlotError> {
            Ok(vec![Plot { file_name: "loss.png", png: vec![1, 2, 3] }])
        }
    }
}
pub mod schedule;
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub mod task {
    #[derive(Debug, thiserror::Error)]
    #[error("task")]
    pub struct TaskError;
    pub struct TaskFacts {
        pub model: String,
        pub optimizer: String,
        pub parameters: usize,
        pub examples: usize,
        pub batch_size: usize,
        pub iterations_per_epoch: u64,
    }
    pub struct Task(TaskFacts);
    impl Task {
        pub fn facts(&self) -> &TaskFacts {
            &self.0
        }
        #[must_use]
        pub fn with_max_lanes(self, _: usize) -> Self {
            self
        }
    }
    pub fn build(_: &super::config::Plan) -> Result<Task, TaskError> {
        Ok(Task(TaskFacts {
            model: "quadratic".into(),
            optimizer: "SGD".into(),
            parameters: 2,
            examples: 0,
            batch_size: 1,
            iterations_per_epoch: 45,
        }))
    }
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub mod trial {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    #[derive(Debug, Clone, Default)]
    pub struct Cancel(Arc<AtomicBool>);
    impl Cancel {
        pub fn cancel(&self) {
            self.0.store(true, SeqCst);
        }
        pub fn is_cancelled(&self) -> bool {
            self.0.load(SeqCst)
        }
    }
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub mod search {
    pub struct StageForecast {
        pub name: &'static str,
        pub trials: usize,
        pub iterations: u64,
    }
    pub struct Forecast {
        pub stages: Vec<StageForecast>,
        pub total_iterations: u64,
        pub planned_run: u64,
        pub share_of_planned_run: Option<f64>,
    }
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub struct RunOptions<'a> {
    pub jobs: usize,
    pub lanes: Option<usize>,
    pub cancel: trial::Cancel,
    pub observer: &'a dyn record::Observer,
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
fn run(options: &RunOptions<'_>, rate: Option<f64>) -> report::Report {
    use record::Event;
    options.observer.observe(&Event::StageStarted { stage: "scan", trials: 100, iterations: 10_000 });
    for k in 0..100u64 {
        if options.cancel.is_cancelled() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        options.observer.observe(&Event::Progress { iterations: 100 });
        if k % 10 == 0 {
            let best = lr::LearningRate::new(0.05).ok();
            options.observer.observe(&Event::Standing { best, unstable: k as usize });
        }
    }
    let mut report: report::Report =
        serde_json::from_str(&std::fs::read_to_string(std::env::var("STUB_REPORT").unwrap()).unwrap()).unwrap();
    if options.cancel.is_cancelled() {
        report.status = report::Status::Partial;
    }
    report.check = report.check.map(|c| report::Check { learning_rate: rate.unwrap_or(c.learning_rate), ..c });
    report
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub fn find(_: &config::Plan, _: &task::Task, options: &RunOptions<'_>) -> report::Report {
    run(options, None)
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub fn check(_: &config::Plan, _: &task::Task, rate: lr::LearningRate, options: &RunOptions<'_>) -> report::Report {
    run(options, Some(rate.get()))
}
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub fn forecast(_: &config::Plan, facts: &task::TaskFacts) -> search::Forecast {
    search::Forecast {
        stages: vec![search::StageForecast { name: "scan", trials: 100, iterations: 10_000 }],
        total_iterations: 10_000,
        planned_run: 200 * facts.iterations_per_epoch,
        share_of_planned_run: Some(10_000.0 / 9_000.0),
    }
}
