"""The code that the Lambda functions share: rules, channels, receipts, store."""
