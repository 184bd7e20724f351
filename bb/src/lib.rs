//! Write a program for many machines as one function.
