//! Input that nobody sane writes: it is planned and read in bounds, or refused with its place.

mod data;
mod planning;
mod sweeps;
