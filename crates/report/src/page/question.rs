//! The first part of a page whose sweep asks a question of its own.

use maud::{Markup, PreEscaped, html};

use super::text::rich;
use crate::analysis::{Answered, Held};

/// Stands with the section, so that no other page carries it.
const STYLE: &str = "\
.asked { display: grid; grid-template-columns: 6rem 1fr; gap: 0 1rem; max-width: 60rem; } \
.asked dt { font-weight: 600; } .asked dt, .asked dd { margin: .35rem 0; } .checks .bad { font-weight: 700; } \
@media (max-width: 40rem) { .asked { grid-template-columns: 1fr; } .asked dt { margin-bottom: 0; } .asked dd { margin-top: 0; } }";

/// Answer, verdict, design and theory, and the checks that the answer rests on.
pub(super) fn section(answered: &Answered) -> Markup {
    let question = &answered.question;
    let n = answered.checks.len();
    html! {
        section aria-labelledby="answer" {
            style { (PreEscaped(STYLE)) }
            h2 #answer { "Answer" }
            p.lead { (rich(&answered.answer())) }
            dl.asked {
                dt { "Design" } dd { (rich(&question.design)) }
                dt { "Theory" } dd { (rich(&question.theory)) }
                dt { "Verdict" } dd { (verdict(answered)) }
            }
            div.scroll role="region" tabindex="0" aria-labelledby="checks" {
                table.checks {
                    caption #checks { "What the answer rests on: theory beside what was measured" }
                    thead { tr {
                        th scope="col" { "statement" }
                        th scope="col" { "theory" }
                        th scope="col" { "mean ± standard error [interval]" }
                        th.n scope="col" { "draws" }
                        th scope="col" { "verdict" }
                    } }
                    tbody {
                        @for checked in &answered.checks {
                            tr {
                                th.w scope="row" { (rich(&checked.check.says)) }
                                td { (rich(&checked.expected())) }
                                td.k { (rich(&checked.found())) }
                                td.n { (checked.n) }
                                td.k.bad[checked.held != Held::Yes] { (checked.held.word()) }
                            }
                        }
                    }
                }
            }
            p.note {
                "A draw is a repeat of a population, or a real dataset; differences are taken draw by draw. The "
                (if n == 1 { "interval is Student's at 95 %".to_owned() }
                 else { format!("{n} intervals are Student's and hold together at 95 % (Bonferroni)") })
                ". A statement holds if its whole interval lies where it says, does not hold if the whole interval lies \
                 elsewhere, and is not settled otherwise."
            }
        }
    }
}

/// How many statements hold.
fn verdict(answered: &Answered) -> String {
    let of = |held| answered.checks.iter().filter(|c| c.held == held).count();
    let n = answered.checks.len();
    match answered.held() {
        Held::Yes if n == 1 => "The one statement below holds.".into(),
        Held::Yes => format!("All {n} statements below hold."),
        Held::No => format!("{} of the {n} statements below do not hold.", of(Held::No)),
        Held::Open => format!(
            "{} of the {n} statements below are not settled.",
            of(Held::Open)
        ),
    }
}
