"""What must come before other imports: unfit packages kept out, broken ones named, processes counted."""
