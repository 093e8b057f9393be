"""What the Lambda functions share: the rules, the channels, the receipts, the store."""
