"""The commands of ``runwidgets``, a module each with a function ``add_command``, and what they share."""
