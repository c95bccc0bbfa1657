"""The pages of the viewer, one file each: a function from an open run to HTML."""
