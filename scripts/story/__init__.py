"""The main job as a typed program: one hospital, one buyer, one auditor, real records."""
