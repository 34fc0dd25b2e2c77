//! Tables, plots, pages and gates from records.
