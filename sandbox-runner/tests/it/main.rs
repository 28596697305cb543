//! The jail, attacked.
