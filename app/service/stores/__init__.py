"""What the service keeps for a while: uploads, cases and the folders of uploaded models."""
