//! How real rows are thinned to a ratio.

use super::Profile;

/// Which class the smallest count goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rare {
    /// The naturally smallest one: classes keep their order.
    #[default]
    Smallest,
    /// The naturally largest one: the order of the classes is turned round.
    Largest,
    /// This one; the others keep their order.
    Class(usize),
}

impl Rare {
    /// Classes from the largest count to the smallest, of those that are so `ranked` naturally.
    pub fn ranked(self, mut ranked: Vec<usize>) -> Vec<usize> {
        match self {
            Self::Smallest => {}
            Self::Largest => ranked.reverse(),
            Self::Class(class) => {
                if let Some(at) = ranked.iter().position(|&own| own == class) {
                    ranked[at..].rotate_left(1);
                }
            }
        }
        ranked
    }
}

/// How many rows there are at a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Size {
    /// As many as the data can give.
    #[default]
    Most,
    /// So many of the largest class.
    Largest(usize),
    /// So many of the smallest class.
    Smallest(usize),
}

/// How real rows are thinned to a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thinning {
    /// The shape.
    pub profile: Profile,
    /// Which class is rare.
    pub rare: Rare,
    /// How many rows there are.
    pub size: Size,
}

impl From<Profile> for Thinning {
    fn from(profile: Profile) -> Self {
        Self {
            profile,
            rare: Rare::default(),
            size: Size::default(),
        }
    }
}
