"""What the columns of a user's table mean: the same for `table`, `hugging_face` and `evaluate FILE`."""
