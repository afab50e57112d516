// SPDX-License-Identifier: GPL-2.0-only
//! Stands in for the crate of that name, which the compiler asks for: nothing of it is used.

#![allow(internal_features)]
#![feature(compiler_builtins)]
#![compiler_builtins]
#![no_std]
