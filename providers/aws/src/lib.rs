//! The AWS provider of secretdir: secrets from AWS Secrets Manager.
