//! Maximal cliques of methods that the pairwise tests do not tell apart.
//!
//! A critical-difference diagram joins methods by bars. Bars over contiguous runs of mean ranks are
//! right for one common critical difference only; with pairwise tests, a and c may differ from each
//! other and not from a d between them, or not differ although b between them does. The honest bars are
//! the maximal cliques of the graph "not significantly different", found by Bron and Kerbosch's
//! algorithm with Tomita's pivot: O(3^(k/3)) at worst, linear in practice.
//!
//! # References
//!
//! C. Bron and J. Kerbosch (1973), Algorithm 457: finding all cliques of an undirected graph, CACM 16,
//! 575-577. E. Tomita, A. Tanaka, H. Takahashi (2006), The worst-case time complexity for generating
//! all maximal cliques, Theoretical Computer Science 363, 28-42.

use crate::error::{Result, StatsError, Unit};

/// An undirected graph without loops over methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairGraph {
    nodes: usize,
    joined: Vec<bool>,
}

impl PairGraph {
    /// A graph without edges.
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes,
            joined: vec![false; nodes * nodes],
        }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Adds the edge a - b; a loop is ignored.
    ///
    /// # Errors
    ///
    /// [`StatsError::IndexOutOfRange`].
    pub fn join(&mut self, a: usize, b: usize) -> Result<()> {
        for index in [a, b] {
            if index >= self.nodes {
                return Err(StatsError::IndexOutOfRange {
                    unit: Unit::Methods,
                    index,
                    len: self.nodes,
                });
            }
        }
        if a != b {
            for place in [a * self.nodes + b, b * self.nodes + a] {
                if let Some(slot) = self.joined.get_mut(place) {
                    *slot = true;
                }
            }
        }
        Ok(())
    }

    /// Whether the edge a - b exists; false past the end.
    pub fn is_joined(&self, a: usize, b: usize) -> bool {
        a < self.nodes
            && b < self.nodes
            && self
                .joined
                .get(a * self.nodes + b)
                .copied()
                .unwrap_or(false)
    }

    /// All maximal cliques, isolated nodes as cliques of one included; each sorted, the list sorted.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooManyCliques`] beyond `limit`.
    ///
    /// # Examples
    ///
    /// ```
    /// use counterweight_stats::PairGraph;
    ///
    /// let mut graph = PairGraph::new(4);
    /// graph.join(0, 1)?;
    /// graph.join(1, 2)?;
    /// assert_eq!(graph.maximal_cliques(100)?, [vec![0, 1], vec![1, 2], vec![3]]);
    /// # Ok::<(), counterweight_stats::StatsError>(())
    /// ```
    pub fn maximal_cliques(&self, limit: usize) -> Result<Vec<Vec<usize>>> {
        let mut search = Search {
            graph: self,
            clique: Vec::new(),
            found: Vec::new(),
            limit,
        };
        if self.nodes > 0 {
            search.extend((0..self.nodes).collect(), Vec::new())?;
        }
        let mut found = search.found;
        for clique in &mut found {
            clique.sort_unstable();
        }
        found.sort();
        Ok(found)
    }
}

struct Search<'a> {
    graph: &'a PairGraph,
    /// The clique being extended.
    clique: Vec<usize>,
    found: Vec<Vec<usize>>,
    limit: usize,
}

impl Search<'_> {
    /// Extends the clique by every node of `candidates` that may still lead to a new maximal clique;
    /// `done` are the neighbours whose cliques have been listed. Depth is at most the number of nodes.
    fn extend(&mut self, mut candidates: Vec<usize>, mut done: Vec<usize>) -> Result<()> {
        let graph = self.graph;
        let near = |node: usize, set: &[usize]| -> Vec<usize> {
            set.iter()
                .copied()
                .filter(|&other| graph.is_joined(node, other))
                .collect()
        };
        let reach = |node: &usize| near(*node, &candidates).len();
        let Some(pivot) = candidates.iter().chain(&done).copied().max_by_key(reach) else {
            if self.found.len() == self.limit {
                return Err(StatsError::TooManyCliques { limit: self.limit });
            }
            self.found.push(self.clique.clone());
            return Ok(());
        };
        let branches: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&node| !graph.is_joined(pivot, node))
            .collect();
        for node in branches {
            self.clique.push(node);
            self.extend(near(node, &candidates), near(node, &done))?;
            self.clique.pop();
            candidates.retain(|&other| other != node);
            done.push(node);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_graphs() {
        assert!(PairGraph::new(0).maximal_cliques(9).unwrap().is_empty());
        assert_eq!(PairGraph::new(1).maximal_cliques(9).unwrap(), [vec![0]]);
        let mut graph = PairGraph::new(3);
        for (a, b) in [(0, 1), (1, 2), (2, 0), (1, 1)] {
            graph.join(a, b).unwrap();
        }
        assert_eq!(graph.maximal_cliques(9).unwrap(), [vec![0, 1, 2]]);
        assert!(graph.join(0, 3).is_err());
        assert!(!graph.is_joined(1, 1));
    }

    #[test]
    fn the_worst_case_stops_at_the_limit() {
        // Moon and Moser: 3^(k/3) maximal cliques, the complement of disjoint triangles.
        let mut graph = PairGraph::new(12);
        for a in 0..12 {
            for b in 0..12 {
                if a / 3 != b / 3 {
                    graph.join(a, b).unwrap();
                }
            }
        }
        assert_eq!(graph.maximal_cliques(100).unwrap().len(), 81);
        assert_eq!(
            graph.maximal_cliques(80),
            Err(StatsError::TooManyCliques { limit: 80 })
        );
    }
}
