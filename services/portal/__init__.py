"""The web portal: pages on the server, forms that need no script, and the API beside them."""
