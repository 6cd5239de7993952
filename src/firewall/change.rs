//! Changes of the firewall's rules.

use super::chain::{Chain, Policy};
use super::rule::Rule;
use crate::net::{Family, InterfaceName};

/// One change of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChange {
    /// Appends a rule to its chain.
    Append(Rule),
    /// Inserts a rule at the head of its chain.
    Insert(Rule),
    /// Deletes the first rule that is equal. There must be one.
    Delete(Rule),
    /// Deletes a rule and, if there was one, a second. Either may be missing.
    DeletePair(Rule, Rule),
    /// Inserts a rule at the head of its chain, and then a second one before it.
    InsertPair(Rule, Rule),
    /// Deletes all IPv4 rules of chain FORWARD that accept what passes a bridge port.
    DeletePort(InterfaceName),
    /// Deletes all rules of a chain of table filter.
    Flush(Family, Chain),
    /// Sets the policy of a chain of table filter.
    Policy(Family, Chain, Policy),
}
