//! Publish a directory atomically: fill it aside, make it durable, flip one symbolic link.
