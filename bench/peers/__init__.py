# SPDX-License-Identifier: Apache-2.0
"""What Careen is compared with: other databases with the same rows, asked the same questions."""
