//! Named sets of corrections. Each is a piece of a sweep file, so that what a preset stands for can
//! be printed, copied and changed.

/// A named set of corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub id: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// The `[[correction]]` entries, as a sweep file would have them.
    pub toml: &'static str,
}

/// Every preset, sorted by name.
pub const ALL: &[Preset] = &[
    Preset {
        id: "combinations",
        summary: "corrections stacked on each other, with the scores' own prior and with the training prior",
        toml: include_str!("presets/combinations.toml"),
    },
    Preset {
        id: "families",
        summary: "no correction and the four families: reweighting, resampling, thresholding, logit adjustment",
        toml: include_str!("presets/families.toml"),
    },
    Preset {
        id: "resamplers",
        summary: "no correction and every resampler with its defaults: over-samplers, then what drops rows",
        toml: include_str!("presets/resamplers.toml"),
    },
    Preset {
        id: "tau",
        summary: "post-hoc logit adjustment over a grid of tau",
        toml: include_str!("presets/tau.toml"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
