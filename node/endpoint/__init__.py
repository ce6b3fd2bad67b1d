"""What a node answers to those who know its descriptor: signed requests over HTTPS. No record is within its reach."""
