//! A page of sentences, tables and figures, in the style of a report's.

use counterweight_plots::Figure;
use maud::html;

use super::text::rich;
use super::{Styles, inlined, shell, table};
use crate::view::{View, file_name};

/// A part of the page.
#[derive(Debug)]
pub enum PlainSection<'a> {
    /// A table with its title and note.
    Table(&'a View),
    /// A picture for wide screens and one for narrow ones.
    Figure {
        /// What it shows.
        heading: &'a str,
        /// From 640 px on.
        wide: &'a Figure,
        /// Below.
        narrow: &'a Figure,
    },
}

/// What stands on the page.
#[derive(Debug)]
pub struct PlainPage<'a> {
    /// Its one heading.
    pub title: &'a str,
    /// The answer; ids stand in backticks.
    pub sentences: &'a [String],
    /// From top to bottom.
    pub sections: Vec<PlainSection<'a>>,
    /// The command that makes it again.
    pub command: &'a str,
}

impl PlainPage<'_> {
    /// The page, which asks nothing of the network.
    pub fn html(&self) -> String {
        let styles = Styles::default();
        let body = html! {
            header { h1 { (self.title) } }
            main {
                section { @for text in self.sentences { p { (rich(text)) } } }
                @for section in &self.sections {
                    section {
                        @match section {
                            PlainSection::Table(view) => {
                                @let id = format!("table-{}", file_name(&view.name));
                                h2 { (view.title) }
                                @if !view.note.is_empty() { p.note { (rich(&view.note)) } }
                                div.scroll role="region" tabindex="0" aria-labelledby=(id) { (table(view, &id)) }
                            }
                            PlainSection::Figure { heading, wide, narrow } => {
                                h2 { (heading) }
                                figure { (inlined(heading, (wide, narrow), &styles)) }
                            }
                        }
                    }
                }
                section {
                    h2 { "Made by" }
                    pre tabindex="0" aria-label="Command" { code { (self.command) } }
                }
            }
        };
        shell(self.title, &body, &styles)
    }
}
