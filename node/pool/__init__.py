"""What the members of a pool hand to each other: drafts of offers, consents, deliveries to sign, signatures."""
