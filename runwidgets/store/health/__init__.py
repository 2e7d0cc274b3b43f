"""Whether a workspace's folder is sound, and how what is damaged in it is mended: `checking` looks, `mending` mends."""
