//! Models from any language: `kind = "command"`, a program that fits and scores (docs/FOREIGN.md).
//!
//! What planning has to know stands in the sweep file, so that a plan is made, shown and judged where the program is
//! not installed; what the program says of itself when it starts has to agree. Every thread of a run has a process of
//! its own of each program, which is kept between fits, killed when it is late, and started again when it ended.

mod files;
pub(crate) mod guard;
mod learner;
mod process;
mod program;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use counterweight_config::Diagnostic;
use counterweight_core::params::Texts;
use counterweight_core::{
    Declared as _, Fitted, Hasher, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    ParamValue, ScoreKind, StageContext, StageError, StageResult, Train, parameters, words,
};
use counterweight_harness::config::Sweep;
use counterweight_harness::config::method::Built;

use learner::Foreign;
use program::{Program, Programs, Promise};

/// Its id in sweep files.
const KIND: &str = "command";

words! {
    /// What a program gives to rows.
    pub enum Given {
        /// A probability for each class, or its logarithm.
        Probability = "probability",
        /// A class.
        Vote = "vote",
    }
}

parameters! {
    /// What a sweep file says of a program.
    pub struct Declaration {
        /// the program and its arguments, run in the sweep file's folder
        command: Texts = required;
        /// what the program is a version of, such as "scikit-learn 1.8.0": another one has other results
        version: String = required;
        /// files that decide what the program does, relative to the sweep file: their contents are part of the results' ids
        files: Texts;
        /// whether the same rows and seed give the same scores to the last bit: what does not stays out of gates
        deterministic: bool = false;
        /// whether it honours weights of classes and of rows
        weights: bool = false;
        /// whether it takes more than two classes
        multiclass: bool = true;
        /// what it gives to rows
        scores: Given = "probability";
    }
}

/// A program that nobody may start: what the catalogue builds, before a run puts it in its place.
impl Learner for Declaration {
    fn fit(
        &self,
        _train: &Train,
        _terms: &LossTerms,
        _context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        Err(StageError::NotApplicable(format!(
            "`{}` is run by `counterweight::run`, which starts programs",
            self.command.join(" ")
        )))
    }
}

/// In the catalogue.
pub(crate) const ENTRY: LearnerEntry = entry(0);

/// A card for all that a sweep file can say of a program, by the bits of a number: weights, more than two classes,
/// determinism, votes.
const fn entry(said: usize) -> LearnerEntry {
    let weighs = said & 1 == 1;
    let honours = LossNeeds {
        weights: weighs,
        row_weights: weighs,
        ..LossNeeds::NONE
    };
    let caps = LearnerCaps {
        multiclass: said & 2 != 0,
        deterministic: said & 4 != 0,
        scores: if said & 8 != 0 {
            ScoreKind::Vote
        } else {
            ScoreKind::Probability
        },
        remark: "what it honours stands in the sweep file",
        ..LearnerCaps::new("command", honours, |_, work| {
            0.02 + 1e-6 * (work.n_train * work.n_features) as f64
        })
    };
    LearnerEntry::of::<Declaration>(
        KIND,
        "a program in any language, which fits and scores",
        "docs/FOREIGN.md",
        caps,
    )
}

/// The cards of everything that sweep files can say.
static ENTRIES: [LearnerEntry; 16] = {
    let mut all = [const { entry(0) }; 16];
    let mut said = 0;
    while said < all.len() {
        all[said] = entry(said);
        said += 1;
    }
    all
};

impl Declaration {
    fn entry(&self) -> &'static LearnerEntry {
        let votes = self.scores == Given::Vote;
        let bits = [self.weights, self.multiclass, self.deterministic, votes];
        let said = (0..4)
            .map(|bit| usize::from(bits[bit]) << bit)
            .sum::<usize>();
        &ENTRIES[said]
    }
}

/// The folder that a sweep's programs run in.
fn folder_of(sweep: &Sweep) -> PathBuf {
    match sweep.file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// What a sweep file says of a program; `None` of any other learner.
fn command_of(built: &Built<LearnerCaps, dyn Learner>) -> Option<Declaration> {
    let command = built.entry.card.id == KIND;
    command.then(|| Declaration::try_from(&built.params).ok())?
}

/// The programs of a sweep by the line, id and declaration of their models.
fn declared(sweep: &Sweep) -> impl Iterator<Item = (usize, &str, Declaration)> {
    sweep.models.iter().flat_map(|model| {
        let own = model.candidates().iter().filter_map(command_of);
        own.map(|command| (model.line, model.id.as_str(), command))
    })
}

/// Files of programs that cannot be read, and files that a command names and whose contents would decide results
/// unseen.
pub(crate) fn check(sweep: &Sweep) -> Vec<Diagnostic> {
    let folder = folder_of(sweep);
    let mut found: Vec<Diagnostic> = Vec::new();
    for (line, id, command) in declared(sweep) {
        let mut add = |key: &str, message: String, help: String| {
            let problem = Diagnostic {
                file: sweep.file.display().to_string(),
                line: Some(line),
                key: format!("model `{id}` > {key}"),
                message,
                hint: Some(help),
            };
            if !found.contains(&problem) {
                found.push(problem);
            }
        };
        let files = command.files.unwrap_or_default();
        for file in &files {
            if let Err(error) = std::fs::read(folder.join(file)) {
                let hint = "files are looked for beside the sweep file".to_owned();
                add("files", format!("{file}: {error}"), hint);
            }
        }
        let beside = |word: &str| Path::new(word).is_relative() && folder.join(word).is_file();
        for word in &command.command {
            // `MODULE:NAME` of the runner is a file of that module.
            let module = word
                .split_once(':')
                .map(|(module, _)| format!("{module}.py"));
            for file in [Some(word.clone()), module].into_iter().flatten() {
                let plain = |file: &String| -> PathBuf {
                    let parts = Path::new(file).components();
                    parts.filter(|part| *part != Component::CurDir).collect()
                };
                if beside(&file) && !files.iter().any(|listed| plain(listed) == plain(&file)) {
                    let message =
                        format!("`{file}` is a file beside the sweep, and not one of `files`");
                    let all: Vec<&String> = files.iter().chain([&file]).collect();
                    add("command", message, format!("add it: files = {all:?}"));
                }
            }
        }
    }
    found
}

/// Puts every program of a sweep in its place: with the card that the sweep file gives it, the contents of its files
/// among its parameters, and processes of its own. [`check`] has found nothing.
pub(crate) fn place(sweep: &mut Sweep) {
    let folder = folder_of(sweep);
    let timeout = sweep.protocol.timeout;
    let programs = Arc::<Programs>::default();
    let mut known: Vec<(Promise, Arc<Program>)> = Vec::new();
    for built in sweep.learners_mut() {
        let Some(command) = command_of(built) else {
            continue;
        };
        let entry = command.entry();
        let hashed = command.files.iter().flatten().map(|file| {
            let content = std::fs::read(folder.join(file)).unwrap_or_default();
            let hash = Hasher::new("file of a program").bytes(&content).finish();
            ParamValue::Text(format!("{file}:{}", hash.short()))
        });
        let hashed = ParamValue::List(hashed.collect());
        let given = command.files.as_ref().map(|_| ("files", &hashed));
        let params = built.params.with(Declaration::PARAMS, given.into_iter());
        let promise = Promise {
            command: command.command,
            version: command.version,
            weights: command.weights,
            votes: command.scores == Given::Vote,
        };
        let same = known.iter().find(|(other, _)| *other == promise);
        let program = if let Some((_, program)) = same {
            Arc::clone(program)
        } else {
            let program = Program::new(promise.clone(), &folder, timeout, &programs);
            known.push((promise, Arc::clone(&program)));
            program
        };
        let params = params.unwrap_or_else(|_| built.params.clone());
        *built = built.settled(entry, params, Arc::new(Foreign::of(program)));
    }
}
