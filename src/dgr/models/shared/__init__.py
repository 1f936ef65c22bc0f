"""What encoders and heads are made of."""
