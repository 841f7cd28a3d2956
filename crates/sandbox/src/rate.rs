//! Rates, as settings name them: how often something happens.

/// Refuses a rate outside 0 to 1, by the name of its setting.
pub(crate) fn check_rate(name: &str, rate: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&rate) { Ok(()) } else { Err(format!("{name} must be from 0 to 1")) }
}
