//! Classical learners, own and from linfa and smartcore.
