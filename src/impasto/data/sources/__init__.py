"""Where pictures come from: folders, archives, databases, tables, videos, built-in sets."""
