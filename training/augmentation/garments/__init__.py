"""Photos of garments for training: garments of Fashion-MNIST in colours, on grounds of many kinds."""
